package main

import "time"

const (
	abreast  = 2                // mutants tried at once: building one takes a processor for a second or two
	spare    = 10 * time.Second // a mutant's tests hang when they take more of a processor's time than this, and
	slower   = 3                // so often what they take without a mistake
	mostWait = time.Hour        // for tests that wait for what never comes
	mostRoom = 4 << 20          // KiB of address space of a mutant's tests: a loop without end must not take all memory
	slow     = time.Second / 2  // tests that take longer are run last: most mutants are found without
)
