/* $network: $input -> $output.
 *
 * Made by striate $version for $target ($triple, $cpu).
 *
 * Samples are $sample
 * in this order, as the model read them when it was trained$pixels.
 * Normalisation is inside.
 *
$meanings * Nothing is allocated, and nothing has to be initialised. Memory:
 *   constants  $constants bytes (weights and tables, read only)
 *   code       $code bytes
 *   workspace  $workspace bytes
 *   stack      at most $stack bytes
 */
#ifndef ${guard}_H
#define ${guard}_H

#ifdef __cplusplus
extern "C" {
#endif

#define ${guard}_INPUTS $inputs /* $input */
#define ${guard}_OUTPUTS $outputs /* $output */
#define ${guard}_WORKSPACE_BYTES $workspace

/* Computes $answer of one sample.
 * x: ${guard}_INPUTS numbers. y: room for ${guard}_OUTPUTS numbers.
 * Uses a workspace of its own, so only one thread may call it at a time. */
void ${name}_predict(const float *x, float *y);
void ${name}_predict_bytes(const unsigned char *x, float *y);

/* The same in a workspace of yours, for several threads: ${guard}_WORKSPACE_BYTES bytes for each, aligned to 4
 * bytes (best to 64), filled with zeros before the first call and left alone between calls. */
void ${name}_predict_in(void *workspace, const float *x, float *y);
void ${name}_predict_bytes_in(void *workspace, const unsigned char *x, float *y);
$classes
#ifdef __cplusplus
}
#endif

#endif
