/* Reads samples of ${guard}_INPUTS numbers from standard input and prints ${answer} of each on a line. */
#include <stdio.h>

#include "$name.h"

static float x[${guard}_INPUTS], y[${guard}_OUTPUTS];

int main(void) {
  for (;;) {
    for (int i = 0; i < ${guard}_INPUTS; i++)
      if (scanf("%f", &x[i]) != 1) return i != 0;
    ${name}_predict(x, y);
    for (int i = 0; i < ${guard}_OUTPUTS; i++) printf("%.9g ", y[i]);
    printf("$show\n"$shown);
  }
}
