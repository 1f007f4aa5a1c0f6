/* libmongoc 1.x makes counters in shared memory, /dev/shm/mongoc-PID, as soon as it is loaded (its constructor calls
   mongoc_init), whether it is used or not. A program that links this module leaves none of them behind, and is not
   disturbed by those that another one left. There is nothing to call. */
