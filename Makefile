# Run inside the virtual environment of the README's second command.
.PHONY: check format test long

check:
	ruff format --check .
	ruff check .
	mypy
	lint-imports

format:
	ruff format .
	ruff check --fix .

test:
	python -m pytest

long:
	python -m pytest -m long -n 0 -s --timeout 0 tests
