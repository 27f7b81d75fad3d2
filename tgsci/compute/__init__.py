"""Where measurements run: this process, worker processes, or a Dask cluster."""
