"""Names of variants."""

from graftrec.reporting.labels import label

GCN = {"encoder": "gcn", "objective": "bpr", "encoder.num_layers": 3, "encoder._target_": "GCN", "optimizer.lr": 0.01}
LIGHT = {**GCN, "encoder": "lightgcn", "encoder._target_": "LightGCN", "encoder.num_layers": 2, "encoder.mix": "mean"}


def test_a_choice_implies_the_settings_of_its_group() -> None:
    assert label([GCN, LIGHT]) == ["encoder=gcn", "encoder=lightgcn"]


def test_settings_that_differ_within_a_choice_are_named() -> None:
    names = label([GCN, {**GCN, "encoder.num_layers": 1}, LIGHT])
    assert names == ["encoder=gcn num_layers=3", "encoder=gcn num_layers=1", "encoder=lightgcn num_layers=2"]


def test_what_differs_together_is_named_together() -> None:
    names = label([GCN, {**LIGHT, "objective": "softmax", "optimizer.lr": 0.1}])
    assert names == ["encoder=gcn objective=bpr lr=0.01", "encoder=lightgcn objective=softmax lr=0.1"]


def test_a_setting_that_mirrors_another_is_left_out() -> None:
    a, b = ({**GCN, "dim": n, "encoder.dim": n} for n in (32, 64))
    assert label([a, b]) == ["dim=32", "dim=64"]


def test_equal_endings_are_written_in_full() -> None:
    a, b = ({**GCN, "input.dim": n, "encoder.dim": 2 * n, "head.dim": 7} for n in (32, 64))
    assert label([a, {**b, "encoder.dim": 5}, {**b, "encoder.dim": 6}])[0] == "input.dim=32 encoder.dim=64"


def test_a_recommender_without_training_has_its_own_name() -> None:
    names = label([GCN, {"baseline": "EASE", "baseline.model.penalty": 3}, LIGHT])
    assert names == ["encoder=gcn", "EASE", "encoder=lightgcn"]
    assert label([GCN, {"baseline": "EASE"}]) == ["encoder=gcn", "EASE"]


def test_members_of_blends_are_named_by_what_differs() -> None:
    blend = {"baseline": "EASE + lightgcn", "blend.method": "weighted"}
    bpr = {"second.objective": "bpr", "second.objective.terms.bpr.reduction": "mean"}
    softmax = {"second.objective": "softmax", "second.objective.terms.softmax.temperature": 0.1}
    assert label([{**blend, **bpr}, {**blend, **softmax}, GCN]) == [
        "EASE + lightgcn objective=bpr",
        "EASE + lightgcn objective=softmax",
        "encoder=gcn",
    ]


def test_a_recipe_implies_the_rest() -> None:
    recipe = {**LIGHT, "experiment": "amazon_office", "optimizer.lr": 0.5}
    assert label([{**GCN, "experiment": None}, recipe]) == ["encoder=gcn", "experiment=amazon_office"]


def test_one_variant_is_named_by_its_encoder() -> None:
    assert label([GCN]) == ["encoder=gcn"]


def test_no_two_variants_have_one_name() -> None:
    assert label([GCN, {**GCN, "optimizer.lr": "0.01"}]) == ["encoder=gcn", "encoder=gcn (2)"]
