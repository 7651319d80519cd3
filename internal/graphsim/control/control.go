// Package control is how people drive the simulator from outside of Go: a scenario says what a cloud
// has at its start, and the admin API changes and reads it while it runs.
//
// Both are made of the simulator's own types. A field TokenLife is token_life in a scenario and in the
// API, a duration is text such as 30s, and an unknown key is a mistake: nothing is written twice, so a
// new knob is here without a line of code.
//
//	scenario (YAML, read by the command) ─► Value ─► decode ─► Scenario ─► Apply ─► Sim
//	admin API (JSON over HTTP)           ─► Value ─► decode ─► Knobs, Fault …  ─► Sim
//
// The admin API has no authentication: whoever can reach its port may use it. It answers only requests
// whose Host is an address or localhost, and refuses writes that a foreign page has a browser send.
package control

import "time"

const (
	maxInput     = 1 << 20              // bytes of a request's body; a scenario of 5000 devices has about as many
	maxDepth     = 20                   // of nested values
	maxFaults    = 1000                 // armed at once
	maxAdvance   = 366 * 24 * time.Hour // in one step
	journalPage  = 1000                 // calls in an answer unless asked for fewer
	maxMistakes  = 50                   // reported at once
	maxTenants   = 1000                 // in a scenario
	maxDevices   = 100_000              // in a scenario's tenant
	headerExpiry = 10 * time.Second     // of a connection that says nothing
)
