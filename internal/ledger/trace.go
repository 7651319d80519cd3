package ledger

// remembered is trace, or "" where the document remembers enough of them.
func (d Device) remembered(trace string) string {
	if trace != "" && len(d.Traces()) >= MaxTraces {
		return ""
	}
	return trace
}

// Traces are where the traces of the device's events go on, the untold ones'
// first, in Order.
func (d Device) Traces() (list []string) {
	add := func(e Entry) {
		if e.Trace != "" {
			list = append(list, e.Trace)
		}
	}
	for _, e := range d.Pending {
		add(e)
	}
	for _, r := range d.Reports {
		add(r.Entry)
	}
	return list
}
