package metrics

// maxLabels is the most that a family has.
const maxLabels = 3

// A tuple is the values of a family's labels; those past the last are "".
type tuple [maxLabels]string

// A dimension is the labels whose values come together, one in most cases, and
// the closed set of what they can be.
type dimension struct {
	labels []string
	values [][]string
}

// label is a dimension of a single label.
func label(name string, values ...string) dimension {
	d := dimension{labels: []string{name}}
	for _, v := range values {
		d.values = append(d.values, []string{v})
	}
	return d
}

// A shape is every tuple that a family's labels can have: the product of its
// dimensions.
type shape struct {
	dims []dimension
	sets []map[tuple]bool // of each dimension, its values
}

func newShape(dims ...dimension) shape {
	s := shape{dims: dims}
	for _, d := range dims {
		set := make(map[tuple]bool, len(d.values))
		for _, v := range d.values {
			var part tuple
			copy(part[:], v)
			set[part] = true
		}
		s.sets = append(s.sets, set)
	}
	return s
}

// clip makes Unknown of what is outside its set.
func (s shape) clip(at tuple) tuple {
	var clipped tuple
	from := 0
	for i, d := range s.dims {
		var part tuple
		to := from + len(d.labels)
		copy(part[:], at[from:to])
		for j := range d.labels {
			clipped[from+j] = Unknown
		}
		if s.sets[i][part] {
			copy(clipped[from:to], part[:])
		}
		from = to
	}
	return clipped
}

// all are the tuples with nothing Unknown in them, but where that is a value.
func (s shape) all() []tuple {
	all := []tuple{{}}
	from := 0
	for _, d := range s.dims {
		var longer []tuple
		for _, at := range all {
			for _, v := range d.values {
				copy(at[from:], v)
				longer = append(longer, at)
			}
		}
		all, from = longer, from+len(d.labels)
	}
	return all
}

func (s shape) width() int { return len(s.names()) }

func (s shape) names() (names []string) {
	for _, d := range s.dims {
		names = append(names, d.labels...)
	}
	return names
}
