"""Hand-made mistakes in a copy of the product. The tests of the area have to find them: `make trials ARGS=mutants`."""
