"""One module or folder for each provider."""
