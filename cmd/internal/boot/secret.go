package boot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// maxSecret bounds a secret, bytes; a larger file is some other file.
const maxSecret = 64 << 10

// A Secret says where a secret is, in a file or in an environment variable; it
// never holds the value, so that no printed configuration can show one.
type Secret struct {
	File string `yaml:"file,file"`
	Env  string `yaml:"env"`

	at string // where the configuration names it, for errors
}

func (s *Secret) placed(at string) { s.at = at }

// A Key is a secret of a source, with the time that it is good for. While a
// secret is replaced there are two.
type Key struct {
	ID string `yaml:"id"` // in metrics and the log; "" is its place in the list
	Secret
	NotBefore time.Time `yaml:"not_before"` // zero: since ever
	NotAfter  time.Time `yaml:"not_after"`  // zero: for ever
}

// IsZero reports whether the configuration names no secret here.
func (s Secret) IsZero() bool { return s.File == "" && s.Env == "" }

// String says where the secret is.
func (s Secret) String() string {
	switch {
	case s.File != "":
		return "file " + s.File
	case s.Env != "":
		return "environment variable " + s.Env
	}
	return "none"
}

// Read fetches the secret. A rotated file shows at the next Read. One newline
// at the end is dropped, because editors and echo put it there.
func (s Secret) Read() (string, error) {
	value, err := s.read()
	if err != nil && s.at != "" {
		return "", fmt.Errorf("%s: %w", s.at, err)
	}
	return value, err
}

func (s Secret) read() (string, error) {
	value, err := s.fetch()
	if err == nil && value == "" {
		err = fmt.Errorf("the %s is empty; write the secret into it", s)
	}
	return value, err
}

func (s Secret) fetch() (string, error) {
	switch {
	case s.IsZero():
		return "", errors.New("no secret is configured; give file or env")
	case s.File != "":
		return readSecret(s.File)
	}
	value, ok := os.LookupEnv(s.Env)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set; set it, or name a file", s.Env)
	}
	return trimNewline(value), nil
}

func readSecret(path string) (string, error) {
	b, err := readFile(path, maxSecret)
	return trimNewline(string(b)), err
}

// ReadCertificates reads a file of certificates or keys.
func ReadCertificates(path string) ([]byte, error) { return readFile(path, maxCertificates) }

// readFile reads a file that the configuration names, of at most so many bytes.
func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s; create it, or mount the secret there", path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; let the program's user read it", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("the file %s is larger than %d bytes; is it the right one?", path, most)
	}
	return b, nil
}

func trimNewline(s string) string {
	if line, ok := strings.CutSuffix(s, "\n"); ok {
		return strings.TrimSuffix(line, "\r")
	}
	return s
}
