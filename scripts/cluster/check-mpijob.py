#!/usr/bin/env python3
"""Checks deploy/kubernetes/mpijob.yaml against the definition of MPIJob, unknown fields refused.

    python3 check-mpijob.py kubeflow.org_mpijobs.yaml

The definition lies in the repository of the MPI operator, manifests/base/. Needs PyYAML and jsonschema.
"""
import pathlib
import sys

import jsonschema
import yaml


def tighten(schema):
    """Refuse fields that are not named; let numbers or texts be where Kubernetes takes both."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        if schema.get("x-kubernetes-int-or-string"):
            schema.pop("type", None)
        for value in schema.values():
            tighten(value)
    elif isinstance(schema, list):
        for value in schema:
            tighten(value)


definition = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
version = next(v for v in definition["spec"]["versions"] if v["name"] == "v2beta1")
schema = version["schema"]["openAPIV3Schema"]
schema["properties"].pop("metadata", None)
tighten(schema)
path = pathlib.Path(__file__).parents[2] / "deploy/kubernetes/mpijob.yaml"
job = yaml.safe_load(path.read_text())
job.pop("metadata")
errors = list(jsonschema.Draft7Validator(schema).iter_errors(job))
for error in errors:
    print(f"FAIL {'.'.join(map(str, error.path))}: {error.message}")
if not errors:
    print(f"PASS {path.name} is a valid MPIJob {version['name']}")
sys.exit(1 if errors else 0)
