"""The parts of the bench. Each has run(options) -> results and render(results, page) -> None; its docstring heads its
section of docs/benchmarks.md."""
