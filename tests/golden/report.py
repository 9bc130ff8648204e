# Rightsize 0.1.0, report 0123456789ab, model "<script>alert(1)</script>=cmd|'/c calc'!A1": makes 'INT8' again.
# Run it in Rightsize's folder:  PYTHONPATH=. .venv/bin/python THIS.py MODEL [DATA.npz]
import sys
from pathlib import Path

from advisor.report.reproduce import reproduce

HOW = {'steps': [('int8', {})],
 'shapes': {'x': (1, 784)},
 'source_sha256': 'abababababababababababababababababababababababababababababababab',
 'sha256': 'cb1525bced78da2c03c42fe15bf15663b584566ef6244ff91d892caa011fec1e'}

if __name__ == "__main__":
    model, *data = map(Path, sys.argv[1:])
    made = reproduce(model, folder=Path("reproduced"), data=data[0] if data else None, **HOW)
    print(made.file, made.sha256, "the same file" if made.same else "another file, made the same way")
