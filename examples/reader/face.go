package main

import (
	"context"
	"os"
	"path/filepath"
	"strconv"

	"github.com/kakunin-go/kakunin/jpki/card"
)

// readFace reads the card face with what is printed on it, and writes the pictures if there is a place for them.
func (p *program) readFace(ctx context.Context) error {
	number, with, err := p.askNumberB(ctx)
	if err != nil {
		return err
	}
	face, err := p.card.Face(ctx, card.FaceNumberB, number, with...)
	if err != nil {
		return err
	}
	t := p.talk
	t.say("券面事項", "Card face")
	p.personal("生年月日", "birthdate", face.Birthdate.Reveal().String())
	p.personal("性別", "gender", p.gender(face.Gender))
	p.personal("カードの有効期限（署名の対象外）", "card valid until (not signed)", face.Expiry.String())
	for _, picture := range []struct {
		ja, en, file string
		image        card.Image
	}{
		{"氏名の画像", "picture of the name", "name", face.Name},
		{"住所の画像", "picture of the address", "address", face.Address},
		{"顔写真", "portrait", "portrait", face.Portrait},
	} {
		t.item(picture.ja+": %s", picture.en+": %s", picture.image.MediaType())
		if err := p.write(picture.file, picture.image); err != nil {
			return err
		}
	}
	p.checked()
	return nil
}

// askNumberB asks for what is printed on the card and makes 照合番号B of it.
func (p *program) askNumberB(ctx context.Context) (string, []card.Option, error) {
	text, with, err := p.askSecret(ctx, card.FaceNumberB, "生年月日（西暦8桁、例 19800217）", "Birthdate (YYYYMMDD)")
	if err != nil {
		return "", nil, err
	}
	day, err := parseDay(text)
	if err != nil {
		return "", nil, err
	}
	year, err := p.talk.ask(ctx, true, "カードの有効期限の年（西暦4桁）", "Year in which the card expires")
	if err != nil {
		return "", nil, err
	}
	code, err := p.talk.ask(ctx, true, "セキュリティコード（4桁）", "Security code (4 digits)")
	if err != nil {
		return "", nil, err
	}
	y, err := strconv.Atoi(year)
	if err != nil {
		return "", nil, problem("年は西暦4桁で入力してください。", "Enter the year with four digits.")
	}
	number, err := card.Printed{Birthdate: day, ExpiryYear: y, SecurityCode: code}.NumberB()
	return number, with, err
}

// write stores a picture where only this user may read it.
func (p *program) write(name string, image card.Image) error {
	if p.images == "" || !image.Present() {
		return nil
	}
	extension := map[string]string{"image/png": ".png", "image/jp2": ".jp2"}[image.MediaType()]
	if os.WriteFile(filepath.Join(p.images, name+extension), image.Reveal(), 0o600) != nil {
		return problem("画像を保存できません。", "The pictures cannot be written.")
	}
	return nil
}
