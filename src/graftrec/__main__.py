"""``python -m graftrec`` is the ``graftrec`` command."""

from graftrec.cli.main import main

main()
