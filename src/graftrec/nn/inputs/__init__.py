"""The initial node vectors x0 [N, d]: ids, text, or both. One way of entry a file."""

from graftrec.nn.inputs.concatenated import ConcatenatedInput
from graftrec.nn.inputs.gated import GatedInput
from graftrec.nn.inputs.id_plus_text import IdPlusTextInput
from graftrec.nn.inputs.ids import IdInput
from graftrec.nn.inputs.initialised import InitialisedInput
from graftrec.nn.inputs.text import TextInput

__all__ = ["ConcatenatedInput", "GatedInput", "IdInput", "IdPlusTextInput", "InitialisedInput", "TextInput"]
