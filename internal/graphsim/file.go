package graphsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// saved is the state file: what the devices hold, and how far the clock was moved. Tenants and
// devices themselves come from AddTenant at each start, so no secret is ever written. A file of
// another version is refused; there is no promise across releases, it is a demo's memory.
type saved struct {
	Version int           `json:"version"`
	Offset  time.Duration `json:"offset_ns"`
	Devices []savedDevice `json:"devices"`
}

type savedDevice struct {
	Tenant string `json:"tenant"`
	Device string `json:"device"`
	Set    set    `json:"set"`
}

const savedVersion = 1

// save writes the state file, whole and by rename: a crash leaves the old one or the new one.
// Nobody waits for its error but Close. The caller holds mu.
func (s *Sim) save() {
	if s.file == "" {
		return
	}
	out := saved{Version: savedVersion, Offset: s.offset}
	for k, d := range s.devices {
		if v := d.set(); len(v.Entries) > 0 || !v.Start.IsZero() {
			out.Devices = append(out.Devices, savedDevice{k.tenant, k.device, v})
		}
	}
	slices.SortFunc(out.Devices, func(a, b savedDevice) int {
		return strings.Compare(a.Tenant+"/"+a.Device, b.Tenant+"/"+b.Device)
	})
	if err := replaceFile(s.file, out); err != nil && s.saveErr == nil {
		s.saveErr = fmt.Errorf("saving simulated devices: %w", err)
	}
}

func replaceFile(name string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".graphsim-*") // made with mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(data, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), name)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}

func (s *Sim) load() error {
	if s.file == "" {
		return nil
	}
	data, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var in saved
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("reading %s: %w", s.file, err)
	}
	if in.Version != savedVersion {
		return fmt.Errorf("reading %s: version %d, not %d", s.file, in.Version, savedVersion)
	}
	s.offset = in.Offset
	for _, d := range in.Devices {
		s.devices[keyOf(d.Tenant, d.Device)] = &device{past: []version{{set: d.Set}}}
	}
	return nil
}
