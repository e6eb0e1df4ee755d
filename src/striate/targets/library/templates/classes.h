
/* Returns the number of the most probable class; one thread at a time. */
int ${name}_classify(const float *x);
int ${name}_classify_bytes(const unsigned char *x);

/* The names of the classes, in UTF-8. */
extern const char *const ${name}_classes[${guard}_OUTPUTS];
