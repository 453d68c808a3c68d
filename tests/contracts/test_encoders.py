"""What every encoder of the configuration must do."""

import io

import numpy as np
import pytest
import torch
from torch import Tensor

from graftrec.graph.bipartite import bipartite_graph
from graftrec.nn.encoders.base import MIXES
from graftrec.nn.recommender import warn_of_unused_weights
from tests.contracts.encoder_cases import CASES, DIM, MESSAGE_PASSING, OPTIONS, EncoderCase
from tests.graph.small_graphs import (
    CONNECTED_ITEMS,
    CONNECTED_USERS,
    ISOLATED,
    NUM_ITEMS,
    NUM_USERS,
    empty_graph,
    random_graph,
    random_matrix,
    random_vectors,
)

every_encoder = pytest.mark.parametrize("case", CASES, ids=str)
every_message_passing_encoder = pytest.mark.parametrize("case", MESSAGE_PASSING, ids=str)
with_and_without_weights = pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])


def test_six_encoders_are_covered() -> None:
    assert {case.name for case in OPTIONS} >= {"identity", "lightgcn", "gcn", "gat", "gin", "gatedgcn"}


@every_encoder
def test_gives_the_input_and_one_tensor_a_layer(case: EncoderCase) -> None:
    encoder, x0 = case.build(), random_vectors(DIM)
    layers = encoder(x0, random_graph())
    assert layers[0] is x0
    assert [layer.shape for layer in layers] == [x0.shape] * (encoder.num_layers + 1)


@every_encoder
@with_and_without_weights
def test_isolated_nodes_have_finite_embeddings_and_gradients(case: EncoderCase, weighted: bool) -> None:
    encoder, x0 = case.build(weighted), random_vectors(DIM).requires_grad_()
    embedding = encoder.mixed(encoder(x0, random_graph(weighted)))
    (gradient,) = torch.autograd.grad(embedding[ISOLATED].pow(2).sum(), x0)
    assert embedding[ISOLATED].isfinite().all()
    assert gradient.isfinite().all()


@every_encoder
@with_and_without_weights
def test_renumbering_nodes_renumbers_the_output(case: EncoderCase, weighted: bool) -> None:
    generator = np.random.default_rng(1)
    users, items = generator.permutation(NUM_USERS), generator.permutation(NUM_ITEMS)
    nodes = torch.from_numpy(np.concatenate([users, NUM_USERS + items]))
    matrix, x0, encoder = random_matrix(weighted), random_vectors(DIM), case.build(weighted)
    renumbered = encoder(x0[nodes], bipartite_graph(matrix[users][:, items]))
    for layer, expected in zip(renumbered, encoder(x0, bipartite_graph(matrix)), strict=True):
        torch.testing.assert_close(layer, expected[nodes], rtol=1e-5, atol=1e-5)


@every_encoder
def test_gradient_reaches_the_input_of_every_connected_node(case: EncoderCase) -> None:
    encoder, x0 = case.build(), random_vectors(DIM).requires_grad_()
    (gradient,) = torch.autograd.grad(encoder(x0, random_graph())[-1].pow(2).sum(), x0)
    for block in (CONNECTED_USERS, CONNECTED_ITEMS):
        assert (gradient[block].abs().amax(1) > 0).all()


@every_encoder
def test_gradient_reaches_every_weight(case: EncoderCase) -> None:
    encoder = case.build(weighted=True)
    weights = dict(encoder.named_parameters())
    embedding = encoder.mixed(encoder(random_vectors(DIM), random_graph(weighted=True)))
    gradients = (
        torch.autograd.grad(embedding.pow(3).sum(), list(weights.values()), allow_unused=True) if weights else []
    )
    assert [name for name, gradient in zip(weights, gradients, strict=True) if gradient is None] == []


@every_encoder
def test_hook_is_called_once_a_layer(case: EncoderCase) -> None:
    encoder, calls = case.build(), []

    def hook(x: Tensor, index: int) -> Tensor:
        calls.append((index, tuple(x.shape)))
        return x

    encoder(random_vectors(DIM), random_graph(), hook)
    assert calls == [(index, (NUM_USERS + NUM_ITEMS, DIM)) for index in range(encoder.num_layers)]


@every_encoder
def test_what_the_hook_returns_is_the_layer(case: EncoderCase) -> None:
    layers = case.build()(random_vectors(DIM), random_graph(), lambda x, index: torch.full_like(x, index))
    assert [float(layer.mean()) for layer in layers[1:]] == list(range(len(layers) - 1))


@every_message_passing_encoder
def test_what_the_hook_returns_feeds_the_next_layer(case: EncoderCase) -> None:
    encoder, graph, replacement = case.build(), random_graph(), random_vectors(DIM, seed=9)
    hooked = encoder(random_vectors(DIM), graph, lambda x, index: replacement if index == 0 else x)
    torch.testing.assert_close(hooked[2], encoder.layer(1, replacement, graph))


@every_encoder
def test_saved_weights_restore_the_output(case: EncoderCase) -> None:
    file, x0, graph = io.BytesIO(), random_vectors(DIM), random_graph(weighted=True)
    saved, restored = case.build(weighted=True, seed=1), case.build(weighted=True, seed=2)
    expected = saved(x0, graph)[-1]
    torch.save(saved.state_dict(), file)
    file.seek(0)
    restored.load_state_dict(torch.load(file))
    assert torch.equal(restored(x0, graph)[-1], expected)


@every_encoder
def test_a_seed_gives_the_same_numbers(case: EncoderCase) -> None:
    outputs = [case.build(seed=4)(random_vectors(DIM), random_graph())[-1] for _ in range(2)]
    assert torch.equal(*outputs)


@every_message_passing_encoder
@pytest.mark.parametrize("block", [CONNECTED_USERS, CONNECTED_ITEMS], ids=["users", "items"])
def test_edges_change_every_connected_embedding(case: EncoderCase, block: slice) -> None:
    encoder, x0 = case.build(), random_vectors(DIM)
    with_edges, without = (encoder.mixed(encoder(x0, graph)) for graph in (random_graph(), empty_graph()))
    assert ((with_edges - without)[block].abs().amax(1) > 1e-3).all()


def test_edges_change_nothing_in_matrix_factorisation() -> None:
    encoder, x0 = EncoderCase("identity").build(), random_vectors(DIM)
    assert torch.equal(encoder.mixed(encoder(x0, random_graph())), encoder.mixed(encoder(x0, empty_graph())))


@pytest.mark.parametrize("case", [case for case in MESSAGE_PASSING if "norm" not in case.changes], ids=str)
def test_edges_of_others_do_not_change_isolated_nodes(case: EncoderCase) -> None:
    encoder, x0 = case.build(), random_vectors(DIM)
    with_edges, without = (encoder.mixed(encoder(x0, graph)) for graph in (random_graph(), empty_graph()))
    torch.testing.assert_close(with_edges[ISOLATED], without[ISOLATED])


@pytest.mark.parametrize("case", MESSAGE_PASSING, ids=str)
def test_edge_weights_change_every_encoder_that_supports_them(case: EncoderCase) -> None:
    encoder, x0 = case.build(weighted=True), random_vectors(DIM)
    weighted, binary = (encoder(x0, random_graph(weighted))[-1] for weighted in (True, False))
    assert encoder.supports_edge_weight
    assert (weighted - binary).abs().max() > 1e-3


@pytest.mark.filterwarnings("error")
@every_message_passing_encoder
def test_supported_weights_raise_no_warning(case: EncoderCase) -> None:
    warn_of_unused_weights(case.build(weighted=True), random_graph(weighted=True))


def test_matrix_factorisation_warns_of_weights() -> None:
    with pytest.warns(UserWarning, match="Identity.* does not use edge weights"):
        warn_of_unused_weights(EncoderCase("identity").build(weighted=True), random_graph(weighted=True))


@pytest.mark.filterwarnings("error")
def test_matrix_factorisation_does_not_warn_without_weights() -> None:
    warn_of_unused_weights(EncoderCase("identity").build(), random_graph())


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("case", [case for case in OPTIONS if case.name != "identity"], ids=str)
def test_every_mix_is_offered(case: EncoderCase, mix: str) -> None:
    assert EncoderCase(case.name, {"mix": mix}).build().mix == mix
