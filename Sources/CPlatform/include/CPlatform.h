/// What Swift on Linux cannot say by itself.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, RFC 3720) of `count` bytes, continuing from `crc`; 0 to begin.
///
/// Uses the processor's instruction where it has one, and a table where it has not.
uint32_t campus_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same by the table alone, so that a test can hold the two against each other.
uint32_t campus_crc32c_table(uint32_t crc, const void *bytes, size_t count);

/// Whether the kernel says that a time server keeps its clock; 0 also when it does not say.
int campus_clock_is_synchronized(void);

/// Gives free memory of the heap back to the kernel.
void campus_trim_heap(void);

/// Gives every allocation of 128 KiB or more pages of its own, which go back to the kernel as soon as it is freed.
///
/// By itself the C library raises that limit to 32 MiB with the sizes it sees freed, and what the start of a large site
/// needs for a moment then stays with the process for ever.
void campus_map_large_allocations(void);

/// Lets the kernel take the pages of the program's own code and constants; those in use are mapped again at once.
///
/// Most of a program is used while it starts. The pages stay in the page cache as long as nobody needs the memory.
void campus_trim_code(void);

/// Opens a serial line for raw bytes, neither blocking nor shared with another process.
///
/// `parity` is N, E or O; `baud` one of the usual rates from 300 to 921600 (otherwise EINVAL). Returns the descriptor,
/// which the caller closes, or a negated errno: EWOULDBLOCK when another process has the line.
int campus_serial_open(const char *path, int baud, char parity, int data_bits, int stop_bits);

#endif
