"""Checks an OpenAPI document, and that each example in it is valid by its own schema.

Usage: openapi.py FILE. Prints how many examples there are.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

document = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
OpenAPIV31SpecValidator(document).validate()

# A $ref in a schema is one into the document, so each schema is looked at from there.
DOCUMENT = "urn:document"
resource = Resource.from_contents(document, default_specification=DRAFT202012)
registry = Registry().with_resource(DOCUMENT, resource)


def pointer(*parts):
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


count = 0
for path, item in document["paths"].items():
    for verb, operation in item.items():
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            place = pointer("paths", path, verb, "requestBody", "content", media, "schema")
            schema = {"$ref": f"{DOCUMENT}#/{place}"}
            validator = Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
            for error in validator.iter_errors(content["example"]):
                sys.exit(f"{verb} {path}: {error.message}")
            count += 1
print(count)
