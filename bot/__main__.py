"""`python -m bot`, the same as `optin`."""

import gc
import sys

if __name__ == "__main__":
    # Modules that load leave no garbage, and looking for it takes a fifth of a small command's
    # time. The command line switches it on again once the command is loaded.
    gc.disable()

from bot.cli import main

if __name__ == "__main__":
    sys.exit(main())
