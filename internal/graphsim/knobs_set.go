package graphsim

// Knobs are the present ones.
func (s *Sim) Knobs() Knobs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.knobs
}

// Set replaces the knobs. What was due under the old ones has happened before. A word that
// Check does not know counts as the default.
func (s *Sim) Set(k Knobs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.look()
	for _, d := range s.devices {
		d.put(d.set().at(now, s.rules()), now, s.knobs.ShowLag)
	}
	if k.Window <= 0 {
		k.Window = defaultWindow
	}
	if k.TokenLife <= 0 {
		k.TokenLife = defaultTokenLife
	}
	s.knobs = &k // never changed in place: calls under way keep the ones they began with
}

// rules is what the pure set has to know of the knobs.
func (s *Sim) rules() rules {
	k := s.knobs
	return rules{
		checkIn: k.CheckIn, autoRestore: k.AutoRestore, spread: k.AutoRestoreSpread, seed: s.seed,
		forget: k.ForgetRestored, cap: k.ItemCap, restarts: k.RepeatRestarts, retries: k.RepeatRetries,
		queue: k.WhilePending == "queue",
	}
}
