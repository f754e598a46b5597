"""Executes a notebook in an empty folder and fails where a cell does: run_notebook.py NOTEBOOK [RESULT]"""

import sys
import tempfile

import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
with tempfile.TemporaryDirectory() as folder:
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
pictures = [output for output in outputs if "image/png" in output.get("data", {})]
print(f"{len(outputs)} outputs, {len(pictures)} pictures")
if len(sys.argv) > 2:
    nbformat.write(notebook, sys.argv[2])
