"""Raw tables to a frozen, split Dataset."""

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.data.vocabulary import Vocabulary

__all__ = ["Dataset", "Interactions", "Vocabulary"]
