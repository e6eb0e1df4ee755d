"""Tables: each row is a sample; one column holds the labels, the others numbers or categories.

A file goes through these modules in order: `files` (compression and encoding), `dialect` (separators and names),
`reading` (columns of numbers and text), `schema` (their meaning, kept with the model), `loading` (data sets).
"""

from striate.data.tables.files import TABLE_SUFFIXES
from striate.data.tables.loading import csv_dataset, table_splits
from striate.data.tables.reading import Table, read_table
from striate.data.tables.schema import Schema

__all__ = ["TABLE_SUFFIXES", "Schema", "Table", "csv_dataset", "read_table", "table_splits"]
