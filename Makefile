# Run inside the virtual environment of the README's second command.
.PHONY: check page format test long narrow interpreted

check: page
	ruff format --check .
	ruff check .
	mypy
	lint-imports
	cd web && npm run --silent check

# The studio's page, where anything of it changed; the virtual environment has a Node of its own.
page:
	python web/build_page.py

format:
	ruff format .
	ruff check --fix .

test:
	python -m pytest

long:
	python -m pytest -m long -n 0 -s --timeout 0 tests

# The suite on the plainest vectors, then on AVX2 where the machine has it.
narrow:
	PELLUCID_VECTOR=sse python -m pytest
	if PELLUCID_VECTOR=avx2 python -c "from pellucid.kernels.host import host; host()" 2> /dev/null; \
	then PELLUCID_VECTOR=avx2 python -m pytest; fi

# Kernels as the Python that they are, which checks every access to memory. Left out are the grids of shapes in
# test_convolve.py, which take many minutes so and hold interpreted examples of their own; test_numerics.py, which asks
# how machine code rounds; and test_threads.py, since nothing runs on several threads.
interpreted:
	PELLUCID_INTERPRET=1 python -m pytest tests/ops tests/nn tests/graph $(patsubst %,--ignore=tests/ops/test_%.py, \
		convolve numerics threads)
