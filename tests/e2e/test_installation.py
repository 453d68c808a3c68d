"""The command line starts fast, and works from a checkout, an editable install and a wheel."""

import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = "import sys; sys.argv[0] = 'graftrec'; from graftrec.cli.main import main; main()"


def run(*words: str, code: str = START, path: str | None = None, cwd: Path | None = None) -> str:
    """Output of a command line in a new process."""
    env = {**os.environ, **({"PYTHONPATH": path} if path else {})}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, env=env, cwd=cwd
    )
    return done.stdout


@pytest.mark.parametrize("word", ["--help", "--cfg=job"])
def test_help_and_configuration_need_no_heavy_library(word: str) -> None:
    report = START.replace(
        "main()", "import atexit\natexit.register(lambda: print('HEAVY', HEAVY & set(sys.modules)))\n"
    )
    heavy = "HEAVY = {'torch', 'sklearn', 'pytorch_lightning', 'torch_geometric', 'polars', 'transformers', 'wandb'}\n"
    assert "HEAVY set()" in run("train", word, code=heavy + report + "main()")


def test_help_comes_at_once() -> None:
    run("train", "--help")  # warm the file cache
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run("train", "--help")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1.5


def test_wheel_carries_the_configuration(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        check=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(installed)
    where = "from graftrec.pipeline.config import config_folder; print(config_folder())"
    assert run(code=where, path=str(installed), cwd=tmp_path).strip() == str(installed / "graftrec" / "conf")
    composed = run("train", "data=gowalla", "--cfg", "job", path=str(installed), cwd=tmp_path)
    assert "name: gowalla" in composed
    assert (installed / "graftrec" / "reporting" / "dashboard" / "page" / "dashboard.html").is_file()
    assert "GraftrecOptuna" in run("train", "--info", "plugins", path=str(installed), cwd=tmp_path)


def test_checkout_uses_the_configuration_at_its_root(tmp_path: Path) -> None:
    where = "from graftrec.pipeline.config import config_folder; print(config_folder())"
    assert run(code=where, path=str(ROOT / "src"), cwd=tmp_path).strip() == str(ROOT / "conf")


def test_unknown_command_is_refused() -> None:
    done = subprocess.run([sys.executable, "-c", START, "trian"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "graftrec has no command 'trian'" in done.stderr


def test_unknown_key_is_refused_with_its_name() -> None:
    done = subprocess.run([sys.executable, "-c", START, "train", "learning_rate=1"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "learning_rate" in done.stderr
