"""Samples that are read during training instead of being held in memory."""

from __future__ import annotations

from striate.data.streaming.choice import describe_streams, is_streamed
from striate.data.streaming.objects import ObjectStream
from striate.data.streaming.reading import blocks, prefetch
from striate.data.streaming.stored import StoredStream
from striate.data.streaming.stream import Stream

__all__ = ["ObjectStream", "StoredStream", "Stream", "blocks", "describe_streams", "is_streamed", "prefetch"]
