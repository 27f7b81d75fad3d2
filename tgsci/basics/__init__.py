"""What every room uses: checks, files, optional packages, settings, texts, threads. None of it knows text gradients."""
