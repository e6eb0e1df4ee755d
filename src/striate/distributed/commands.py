"""The commands that rank 0 sends to the others: the first number of a message."""

RUN, MEET, EPOCH, BATCH, STEP, SPREAD, COLLECT, SCORES, END, LEAVE = range(1, 11)
"""Read the data of a run; compare notes before a training; the next batches are those of an epoch; the next batch
is this one; take a step; take over parameters; complete the optimizer's state; compute a share of a validation; the
training has ended; so has the program."""
