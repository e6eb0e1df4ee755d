"""The interface in the terms of OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from striate import __version__
from striate.server.limits import STREAM, Limits

_NUMBERS = {"description": "Nested lists of numbers: one sample, or a list of samples."}
_BODY = {
    "required": True,
    "content": {
        **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/*", "audio/*", "text/*")},
        "application/json": {
            "schema": {"type": "object", "required": ["samples"], "properties": {"samples": _NUMBERS}}
        },
        "multipart/form-data": {
            "schema": {"type": "object", "additionalProperties": {"type": "string", "format": "binary"}}
        },
    },
}


def description(limits: Limits) -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "striate serve", "version": __version__},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
        "paths": {
            "/health": {"get": _operation("Whether the server works.", open_to_all=True)},
            "/summary": {"get": _operation("Layers, shapes, parameters and costs of the network.")},
            "/predict": {
                "post": _operation(f"Predictions for up to {limits.samples} samples.") | {"requestBody": _BODY}
            },
            "/why": {
                "post": _operation("The terms of one value for one sample.")
                | {"requestBody": _BODY, "parameters": [_query("layer"), _query("index")]}
            },
            STREAM: {"get": _operation("The log of the run as it grows, as server-sent events.")},
        },
    }


def _operation(text: str, open_to_all: bool = False) -> dict[str, Any]:
    codes = {"200": text, "400": "A wrong request.", "401": "No token.", "403": "Another host or origin."}
    codes |= {"408": "Too slow.", "413": "Too large.", "422": "Contents that cannot be used.", "503": "Busy."}
    found: dict[str, Any] = {
        "summary": text,
        "responses": {code: {"description": meaning} for code, meaning in codes.items()},
    }
    return found | ({"security": []} if open_to_all else {})


def _query(name: str) -> dict[str, Any]:
    texts = {"layer": "A layer, by default the scores.", "index": "Such as 3,1,1; by default the largest value."}
    return {"name": name, "in": "query", "description": texts[name], "schema": {"type": "string"}}
