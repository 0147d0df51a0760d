"""`python -m mrl_explorer`."""

import sys

from mrl_explorer.cli import main

if __name__ == "__main__":
    sys.exit(main())
