"""What rank 0 tells the others to do: the first number of a command."""

RUN, MEET, EPOCH, BATCH, STEP, SPREAD, COLLECT, SCORES, END, LEAVE = range(1, 11)
"""Read the data of a run; compare notes before a training; the next batches are those of an epoch; the next batch
is this one; take a step; take over parameters; complete the optimizer's state; compute a share of a validation; the
training has ended; so has the program."""
