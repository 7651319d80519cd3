package main

import (
	"fmt"
	"io"
)

// A sum is how many mutants of a file came to which end.
type sum struct {
	file string
	all  int
	ends map[end]int
}

func sumOf(file string, rs []result) sum {
	s := sum{file, len(rs), map[end]int{}}
	for _, r := range rs {
		s.ends[r.end]++
	}
	return s
}

func table(out io.Writer, sums []sum) {
	fmt.Fprintln(out, "\n| file | mutants | killed | of these hung | survived | did not compile |")
	fmt.Fprintln(out, "| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, s := range sums {
		fmt.Fprintf(out, "| `%s` | %d | %d | %d | %d | %d |\n", s.file, s.all, s.ends[killed]+s.ends[hung], s.ends[hung], s.ends[survived], s.ends[unmade])
	}
}
