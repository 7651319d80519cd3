//go:build !unix

package standalone

// Lock does nothing here: the system has no advisory locks.
func Lock(string) (release func(), err error) { return func() {}, nil }
