package metrics

import "time"

// SourceLabels are what a configured source brings into label sets.
type SourceLabels struct {
	Name            string
	Keys            []KeyLabels // of all its checks
	ReplayProtected bool        // it signs the time, so a captured request is told by its age
}

// KeyLabels name a key of a check, and say when it ends. They are not secret.
type KeyLabels struct {
	Check, Key string
	Ends       time.Time // zero: never
}

// SetSources replaces the configured sources, as a reload of the configuration
// does. Series of sources and keys that are gone are deleted, new ones are there
// at 0, and all others keep their value. What is counted meanwhile with a name
// that is new or gone may be counted as Unknown, or not at all.
func (m *Metrics) SetSources(s []SourceLabels) {
	m.setting.Lock()
	defer m.setting.Unlock()
	source, keys := dimensions(s)
	or := source
	or.values = append([][]string{{Unknown}}, source.values...)
	m.Requests.close(newShape(or, label("code", codes...)))
	m.RequestSeconds.close(newShape(or))
	m.Refusals.close(newShape(or, label("reason", m.refusals...)))
	m.Published.close(newShape(or, label("result", results...)))
	m.RateLimited.close(newShape(or))
	m.Parked.close(newShape(source))
	m.ReplayProtection.close(newShape(source))
	m.KeyUses.close(newShape(keys))
	m.KeyLastUsed.close(newShape(keys))
	m.KeyExpiry.close(newShape(keys))
	m.ExpiredKeyUses.close(newShape(keys))
	for _, one := range s {
		protected := 0.0
		if one.ReplayProtected {
			protected = 1
		}
		m.ReplayProtection.Set(protected, one.Name)
		for _, k := range one.Keys {
			m.KeyExpiry.Set(Seconds(k.Ends), one.Name, k.Check, k.Key)
		}
	}
}

// Seconds is a time as gauges have it, in seconds since 1970; 0 for the zero time.
func Seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// dimensions are the sources, and their keys: a key is one of a check of a source.
func dimensions(s []SourceLabels) (source, keys dimension) {
	source, keys = label("source"), dimension{labels: []string{"source", "check", "key"}}
	for _, one := range s {
		source.values = append(source.values, []string{one.Name})
		for _, k := range one.Keys {
			keys.values = append(keys.values, []string{one.Name, k.Check, k.Key})
		}
	}
	return source, keys
}

// named are sources of which nothing but the name is known.
func named(names []string) (s []SourceLabels) {
	for _, n := range names {
		s = append(s, SourceLabels{Name: n})
	}
	return s
}
