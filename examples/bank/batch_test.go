package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func files(t *testing.T, first, second []string) (args []string) {
	t.Helper()
	for i, lines := range [][]string{first, second} {
		path := filepath.Join(t.TempDir(), "customers.jsonl")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, []string{"-batch", "-against"}[i], path)
	}
	return args
}

func customerLine(id, name, address string) string {
	return `{"id": "` + id + `", "person": {"v": 1, "name": "` + name + `", "address": "` + address + `"}}`
}

func TestBatchPrintsCountsOnly(t *testing.T) {
	t.Parallel()
	same, wide := customerLine("a", "確認　花子", "東京都千代田区架空町1-2-3"), customerLine("b", "確認　花子", "東京都千代田区架空町１丁目２番３号")
	for name, c := range map[string]struct {
		first, second []string
		want          counts
		code          int
	}{
		"all agree": {
			[]string{same, customerLine("b", "確認 花子", "東京都千代田区架空町1-2-3")}, []string{wide, same},
			counts{Compared: 2, Outcomes: map[string]int{"same": 1, "same-after-normalisation": 1}}, exitOpened,
		},
		"one to look at": {
			[]string{same, customerLine("c", "髙確　太郎", "京都府宇治市架空1")},
			[]string{same, customerLine("c", "高確　太郎", "京都府宇治市架空1")},
			counts{Compared: 2, Outcomes: map[string]int{"same": 1, "needs-review": 1}}, exitHuman,
		},
		"one differs": {
			[]string{same}, []string{customerLine("a", "確認　花子", "大阪府大阪市北区架空町1-2-3")},
			counts{Compared: 1, Outcomes: map[string]int{"different": 1}}, exitRefused,
		},
		"an attribute is lacking": {
			[]string{same}, []string{`{"id": "a", "person": {"v": 1, "name": "確認　花子"}}`},
			counts{Compared: 1, Outcomes: map[string]int{"unknown": 1}}, exitHuman,
		},
		"alone, malformed, without an id, twice, of another version": {
			[]string{same, wide, "花子", customerLine("", "花子", "x"), same},
			[]string{same, `{"id": "b", "person": {"v": 9}}`},
			counts{Compared: 1, Outcomes: map[string]int{"same": 1}, Alone: 1, Unusable: 4}, exitHuman,
		},
		"nothing to compare": {nil, nil, counts{Outcomes: map[string]int{}}, exitHuman},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := files(t, c.first, c.second)
			code, stdout, stderr := command(t, append(args, "-json")...)
			want, err := json.MarshalIndent(c.want, "", "  ")
			if err != nil || code != c.code || stderr != "" || stdout != string(want)+"\n" {
				t.Errorf("exit %d, stderr %q, stdout\n%s", code, stderr, stdout)
			}
			for _, lang := range []string{"ja", "en"} {
				code, text, _ := command(t, append(args, "-lang", lang)...)
				if code != c.code || strings.Contains(text, "花子") || strings.Contains(text, "%!") {
					t.Errorf("exit %d\n%s", code, text)
				}
			}
		})
	}
}

func TestBatchText(t *testing.T) {
	t.Parallel()
	same := customerLine("a", "確認　花子", "東京都千代田区架空町1-2-3")
	args := files(t, []string{same, "x"}, []string{same})
	for lang, want := range map[string]string{
		"ja": "顧客ファイルの照合（件数のみ）: 1件\n  比較できません: 0\n  完全に一致: 1\n  表記の違いを除いて一致: 0\n  確認が必要: 0\n  不一致: 0\n" +
			"  片方のファイルだけにある: 0\n  使えない行: 1\n",
		"en": "Two files of customers, compared (counts only): 1\n  not compared: 0\n  the same: 1\n  the same but " +
			"for the way of writing: 0\n" +
			"  needs review: 0\n  different: 0\n  in one file only: 0\n  unusable lines: 1\n",
	} {
		if _, got, _ := command(t, append(args, "-lang", lang)...); got != want {
			t.Errorf("%s:\n%s", lang, got)
		}
	}
}

func TestBatchLineTooLong(t *testing.T) {
	t.Parallel()
	args := files(t, []string{customerLine("a", strings.Repeat("花", maxLine), "x")}, nil)
	if code, stdout, stderr := command(t, args...); code != exitUsage || stdout != "" || strings.Contains(stderr, "花") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}
