"""``python -m datasette_program_export …``: the commands, where no script was installed."""

from .cli.main import program_export

if __name__ == "__main__":
    program_export()
