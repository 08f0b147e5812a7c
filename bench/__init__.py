"""Side-by-side measurements, each against a baseline in the same run: `make bench`."""
