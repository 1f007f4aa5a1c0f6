/* libgcrypt and libgpg-error for Swift.

   gcry_control() is variadic, which Swift cannot call. Each wrapper below is
   one command of it, with the arguments that the manual gives. */
#ifndef PENGUINDOME_CGCRYPT_SHIM_H
#define PENGUINDOME_CGCRYPT_SHIM_H

#include <gcrypt.h>
#include <gpg-error.h>
#include <malloc.h>

/* The kernel's generator itself, for all that is random. libgcrypt's own pool, in
   ordinary memory, keeps a part of each key that it gave out. Before
   gcry_set_allocation_handler(), by which libgcrypt 1.10 chooses. */
static inline void pd_gcry_use_system_random(void) {
    gcry_control(GCRYCTL_SET_PREFERRED_RNG_TYPE, GCRY_RNG_TYPE_SYSTEM);
}

static inline gcry_error_t pd_gcry_initialization_finished(void) {
    return gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
}

static inline int pd_gcry_is_initialized(void) {
    return gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P, 0) != 0;
}

#endif
