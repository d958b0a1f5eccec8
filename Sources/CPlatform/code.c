#define _GNU_SOURCE
#include "CPlatform.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

// The program itself comes first in the list; its pages that cannot be written are those of its file, so they can be
// dropped and are read again where they are needed.
static int trim_object(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    (void)context;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0) continue;
        const uintptr_t start = (info->dlpi_addr + segment->p_vaddr + page - 1) & ~(page - 1);
        const uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz) & ~(page - 1);
        if (end > start) madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 1;
}

void campus_trim_code(void) { dl_iterate_phdr(trim_object, NULL); }
