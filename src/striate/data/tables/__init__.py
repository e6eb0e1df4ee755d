"""Tables: each row is a sample; one column holds the labels, the others numbers or categories.

A file goes through these modules in order: `files` (compression and encoding), `dialect` (separators and names),
`reading` (columns of numbers and text: a `table`), `schema` (their meaning, kept with the model), `loading` (data
sets). Numbers that do not fit into memory are `stored` in a file that the `cache` keeps; a `stream` makes inputs of
its rows.
"""

from striate.data.tables.files import TABLE_SUFFIXES
from striate.data.tables.loading import csv_dataset, table_splits
from striate.data.tables.reading import read_table
from striate.data.tables.schema import Schema
from striate.data.tables.table import Table

__all__ = ["TABLE_SUFFIXES", "Schema", "Table", "csv_dataset", "read_table", "table_splits"]
