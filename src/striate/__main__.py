"""``python -m striate``: the same program as ``striate``."""

from striate.cli.app import main

if __name__ == "__main__":
    main()
