//go:build servers

package instances

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kakunin-go/kakunin/cardsim/person"
)

// BenchmarkInstances says how much more several instances can do than one, each a process with one processor of its
// own.
//
// A machine with two cores cannot host them, the browsers, the service, the proxy and the stores and leave a core to
// each. So the time on a processor is counted, of the instances alone: six people log in at one instance, twelve at
// two, twenty-one at four, in turns, so that what else the machine does is the same for all. k instances, each with a
// core of its own, could then do
//
//	k × logins / (time on a processor of all k)
//
// a second, with the logins spread evenly, as the proxy does it in the long run. x-of-2 is that of two to that of one:
// 2 would be no cost of being two. x-of-2-busiest counts the busiest of them for all, with what chance made uneven
// here. Waiting for the stores is in neither; redis-ms/login is the Redis's own time on a processor, which bounds how
// many instances one Redis can serve.
func BenchmarkInstances(b *testing.B) {
	const rounds, visits = 6, 6
	for b.Loop() {
		crowds := map[int]*crowd{1: newCrowd(b, 1), 2: newCrowd(b, 2, second...),
			4: newCrowd(b, 4, slices.Concat(second, third)...)}
		numbers := slices.Sorted(maps.Keys(crowds))
		for _, k := range numbers {
			crowds[k].come(2) // connections, keys of the service
			crowds[k].begin()
		}
		redis := crowds[1].site.redisTime()
		for range rounds {
			for _, k := range numbers {
				crowds[k].come(visits)
			}
		}
		redis = crowds[1].site.redisTime() - redis
		all, one := 0.0, 0.0
		for _, k := range numbers {
			logins := float64(rounds * visits * len(crowds[k].site.svc.Cards()))
			all += logins
			sum, busiest := crowds[k].spent()
			rate := float64(k) * logins / sum
			if k == 1 {
				one = rate
			}
			b.ReportMetric(rate, fmt.Sprintf("logins/s-of-%d", k))
			b.ReportMetric(rate/one, fmt.Sprintf("x-of-%d", k))
			b.ReportMetric(logins/busiest/one, fmt.Sprintf("x-of-%d-busiest", k))
		}
		b.ReportMetric(1000*redis/all, "redis-ms/login")
	}
}

// Six people come to one instance; these come as well to two and to four.
var (
	second = []person.Persona{person.Umeko, person.Takeo, person.Matsu, person.Tome, person.Kiyoshi, person.Akira}
	third  = []person.Persona{person.Wayan, person.Alexandra, person.Hajime, person.Rei, person.Uruu, person.Nagai,
		person.Mutsumi, person.Tokuji, person.Midori}
)

// crowd is people who log in at some instances behind nginx.
type crowd struct {
	b     *testing.B
	site  *site
	begun []float64
	next  int
}

func newCrowd(b *testing.B, instances int, more ...person.Persona) *crowd {
	b.Helper()
	return &crowd{b: b, site: newSite(b, nginx, "", instances, more...)}
}

// come has everybody log in some times.
func (c *crowd) come(visits int) {
	c.next++
	var people sync.WaitGroup
	for _, card := range c.site.svc.Cards() {
		people.Go(func() {
			for i := range visits {
				g := c.site.guest(card)
				if err := g.logIn(fmt.Sprintf("/account?visit=%d-%d", c.next, i)); err != nil {
					c.b.Error(err)
				}
				g.http.CloseIdleConnections()
			}
		})
	}
	people.Wait()
}

func (c *crowd) begin() { c.begun = c.site.processorTime() }

// spent is the seconds on a processor since begin: of all instances, and of the busiest.
func (c *crowd) spent() (sum, busiest float64) {
	for i, now := range c.site.processorTime() {
		sum += now - c.begun[i]
		busiest = max(busiest, now-c.begun[i])
	}
	return sum, busiest
}

// processorTime is the seconds that each instance was on a processor, by the kernel's count in nanoseconds of each
// thread.
func (s *site) processorTime() (seconds []float64) {
	s.t.Helper()
	for _, p := range s.instances {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
		must(s.t, err)
		total := 0.0
		for _, file := range threads {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // the thread has ended
			}
			on, _, _ := strings.Cut(string(text), " ")
			nanoseconds, err := strconv.ParseFloat(on, 64)
			must(s.t, err)
			total += nanoseconds / 1e9
		}
		seconds = append(seconds, total)
	}
	return seconds
}

// redisTime is the seconds that the Redis was on a processor.
func (s *site) redisTime() (seconds float64) {
	s.t.Helper()
	info, err := s.redis.Info(s.t.Context(), "cpu").Result()
	must(s.t, err)
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			v, err := strconv.ParseFloat(value, 64)
			must(s.t, err)
			seconds += v
		}
	}
	return seconds
}
