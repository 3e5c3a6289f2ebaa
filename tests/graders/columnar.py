"""Files of columns as pyarrow writes them, and the lines that are read of them."""

from graders.errors import RowError
from graders.lines import decode_object, numbered, open_lines

FORMS = ["rows.parquet", "rows.arrow", "rows.feather"]


def lines(path):
    """What the lines of a file hold; an error in the place of what is no row."""
    found = []
    with open_lines(path) as file:
        for number, line in numbered(file):
            try:
                found.append(decode_object(path.name, number, line))
            except RowError as error:
                found.append(str(error))
    return found


def written(path, columns, types=None):
    """A file of some columns; `types` names those whose type is not the obvious one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = types or {}
    arrays = [
        value if isinstance(value, pa.Array) else pa.array(value, kinds.get(name))
        for name, value in columns.items()
    ]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".arrow":  # as `datasets` saves it
        with pa.ipc.new_stream(path, table.schema) as file:
            file.write_table(table)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    return path
