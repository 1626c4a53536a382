/* The CRC-64 of liblzma, measured as workload.ts measures ours. */
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MIB (1024 * 1024)

static uint64_t hash(const uint8_t *chunk, long count) {
  uint64_t crc = 0;
  for (long i = 0; i < count; i++) crc = lzma_crc64(chunk, MIB, crc);
  return crc;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) / MIB : 1024;
  uint8_t *chunk = malloc(MIB);
  for (long i = 0; i < MIB; i++) chunk[i] = (uint8_t)(i * 31 + (i >> 8));
  volatile uint64_t crc = hash(chunk, 64);
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  crc = hash(chunk, count);
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = (double)(end.tv_sec - start.tv_sec) +
                   (double)(end.tv_nsec - start.tv_nsec) / 1e9;
  printf("{\"seconds\":%.9f,\"peakBytes\":0}\n", seconds);
  (void)crc;
  return 0;
}
