"""Language models of two layers with random weights, saved as transformers or as a GGUF file."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel, PreTrainedTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "chair", "lamp", "garden", "sea", ":", "红色", "椅子"]
SENTENCES = ["red chair", "sea", "blue lamp red garden sea", "garden chair blue", "lamp red sea blue chair red garden"]
CHAT = "{% for m in messages %}[CLS] {{ m['content'] }} [SEP] {% endfor %}{% if add_generation_prompt %}: {% endif %}"


def words_of(*words: str) -> list[int]:
    """Their numbers in the tokenizers below."""
    return [WORDS.index(word) for word in words]


def save_tokenizer(folder: Path, marks: bool, **settings: Any) -> None:
    """One token a word; [CLS] and [SEP] around a text where ``marks``."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if marks:
        numbers = [(mark, WORDS.index(mark)) for mark in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=numbers)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", **settings}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)


def save_bert(folder: Path, seed: int = 0, **settings: Any) -> Path:
    """Eight dimensions, 32 positions, unless ``settings`` say otherwise."""
    save_tokenizer(folder, marks=True)
    sizes = {"vocab_size": len(WORDS), "hidden_size": 8, "intermediate_size": 16, "max_position_embeddings": 32}
    chosen = {"num_hidden_layers": 2, "num_attention_heads": 2, "initializer_range": 0.5, **sizes, **settings}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(BertConfig(**chosen)).save_pretrained(folder)
    return folder


def llama(vocabulary: int = len(WORDS), seed: int = 0) -> LlamaModel:
    """A causal decoder of 16 dimensions: two heads, one key and value for both."""
    sizes = {"vocab_size": vocabulary, "hidden_size": 16, "intermediate_size": 32, "max_position_embeddings": 64}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaModel(LlamaConfig(num_hidden_layers=2, initializer_range=0.5, pad_token_id=0, **sizes, **heads))


def save_llama(folder: Path) -> Path:
    save_tokenizer(folder, marks=False, chat_template=CHAT, eos_token="[SEP]")
    llama().save_pretrained(folder)
    return folder


def write_gguf(path: Path) -> LlamaModel:
    """A Llama in llama.cpp's format, and the same model."""
    from gguf import GGUFWriter, TokenType

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = ["<unk>", "<|start|>", "<|end|>", "Ġ", *letters, "re", "red", "Ġred"]
    model = llama(len(tokens))
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(16)
    writer.add_feed_forward_length(32)
    writer.add_block_count(2)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_rope_dimension_count(8)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL, *[TokenType.NORMAL] * 30])
    writer.add_token_merges(["r e", "re d", "Ġ red"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    for name, tensor in model.state_dict().items():
        writer.add_tensor(_gguf_name(name), _gguf_order(name, tensor).contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def _gguf_name(name: str) -> str:
    names = {
        "embed_tokens": "token_embd", "layers": "blk", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
        "input_layernorm": "attn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down",
    }  # fmt: skip
    for ours, theirs in names.items():
        name = name.replace(ours, theirs)
    return "output_norm.weight" if name == "norm.weight" else name


def _gguf_order(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """llama.cpp rotates neighbouring rows of a head, transformers its two halves."""
    heads = {"q_proj": 2, "k_proj": 1}.get(name.split(".")[-2])
    return tensor if heads is None else tensor.reshape(heads, 2, 4, 16).swapaxes(1, 2).reshape(tensor.shape)
