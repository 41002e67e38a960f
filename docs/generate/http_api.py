"""The reference of the HTTP interface, from the OpenAPI description of the service."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown_table import table_cell

INTRODUCTION = """# HTTP interface

The endpoints of `alsatian serve`, from the OpenAPI description that a running service offers at `/openapi.json`.
Errors are `application/problem+json`. [Serve a model](../how-to/serve.md) shows how to start the service and call it.
"""


def openapi() -> dict[str, Any]:
    """Return the OpenAPI description of a service. It is the same for every model, so a tiny one is served."""
    import alsatian as al
    from alsatian.serving.application import create_app

    with tempfile.TemporaryDirectory() as folder:
        path, ratings = Path(folder) / "any.model", Path(folder) / "ratings.csv"
        ratings.write_text("user,item,rating\n1,1,3\n2,2,4\n")
        al.save(al.Popularity().fit(al.read(str(ratings))), path)
        app = create_app(path)
        try:
            return app.openapi()
        finally:
            app.state.event_store.close()
            app.state.live_model.close()


def http_page() -> str:
    """Return the page as Markdown: the endpoints by subject, then the schemas that they share."""
    description = openapi()
    schemas = description["components"]["schemas"]
    sections = [INTRODUCTION]
    for tag in description["tags"]:
        sections.append(f"## {tag['name'].capitalize()}\n\n{tag['description']}\n")
        sections.extend(
            _endpoint(method, path, operation)
            for path, operations in description["paths"].items()
            for method, operation in operations.items()
            if tag["name"] in operation.get("tags", [])
        )
    sections.append("## Schemas\n")
    sections.extend(_schema(name, schema) for name, schema in schemas.items() if "properties" in schema)
    return "\n".join(sections)


def _endpoint(method: str, path: str, operation: dict[str, Any]) -> str:
    lines = [f"### `{method.upper()} {path}`\n", operation.get("description", operation.get("summary", "")) + "\n"]
    if parameters := operation.get("parameters"):
        lines += ["| parameter | in | type | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{parameter['name']}`{' (required)' if parameter.get('required') else ''} | {parameter['in']} "
            f"| {_type(parameter['schema'])} | {table_cell(parameter.get('description', ''))} |"
            for parameter in parameters
        ]
        lines.append("")
    if body := operation.get("requestBody"):
        lines.append(f"Body: {', '.join(_bodies(body))}.\n")
    responses = [f"| {status} | {table_cell(response['description'])} | {', '.join(_bodies(response))} |"
                 for status, response in operation["responses"].items()]  # fmt: skip
    return "\n".join([*lines, "| status | meaning | body |", "|---|---|---|", *responses, ""])


def _bodies(holder: dict[str, Any]) -> Iterator[str]:
    for media_type, content in holder.get("content", {}).items():
        schema = content.get("schema", {})
        yield _type(schema) if schema and media_type == "application/json" else f"`{media_type}`"


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        f"| `{field}`{' (required)' if field in required else ''} | {_type(declaration)} "
        f"| {table_cell(declaration.get('description', ''))} |"
        for field, declaration in schema["properties"].items()
    ]
    head = [f"### {name}\n", schema.get("description", "") + "\n"]
    return "\n".join([*head, "| field | type | meaning |", "|---|---|---|", *rows, ""])


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a value in words, with its bounds and default; another schema is a link."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf", schema.get("oneOf")):
        words = " or ".join(dict.fromkeys(_type(option) for option in options if option.get("type") != "null"))
    elif schema.get("type") == "array":
        words = f"list of {_type(schema.get('items', {}))}"
    elif "enum" in schema:
        words = " or ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    elif "const" in schema:
        words = f"`{json.dumps(schema['const'])}`"
    else:
        words = schema.get("type", "any")
    limits = (("minimum", "from"), ("maximum", "to"), ("exclusiveMinimum", "above"), ("exclusiveMaximum", "below"))
    bounds = [f"{word} {schema[key]:g}" for key, word in limits if key in schema]
    default = [f"default `{json.dumps(schema['default'])}`"] if schema.get("default") is not None else []
    return words + (f" ({', '.join([*bounds, *default])})" if bounds or default else "")
