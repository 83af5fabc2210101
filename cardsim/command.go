package cardsim

import "github.com/kakunin-go/kakunin/internal/apdu"

// session is what loss of power or a reset takes away. The zero value has no application; powerUp makes a usable one.
type session struct {
	app *application
	ef  *file
	// verified has a bit for each verified reference of app.
	verified access
	// secure is the secure messaging session, nil if there is none; broken says that one was ended by a mistake.
	secure *secureSession
	broken bool
	// terminal is the part of a terminal's certificate that waits for its signature.
	terminal []byte
}

// handler executes one command. It runs with the card's lock held.
type handler func(*Card, apdu.Command) apdu.Response

// commands has the handlers by class and instruction; anything else is answered 6D00. GET RESPONSE is missing on
// purpose: this card never answers 61xx.
var commands = map[[2]byte]handler{
	{0x00, insSelect}:               (*Card).selectFile,
	{0x00, insReadBinary}:           (*Card).readBinary,
	{0x00, insReadRecord}:           (*Card).readRecord,
	{0x00, insGetData}:              (*Card).getData,
	{0x00, insVerify}:               (*Card).verify,
	{0x00, insChangeReferenceData}:  (*Card).changeReferenceData,
	{0x00, insInternalAuthenticate}: (*Card).internalAuthenticate,
	{0x00, insGetChallenge}:         (*Card).getChallenge,
	{0x80, insSign}:                 (*Card).computeDigitalSignature,
	{0x80, insChangeKey}:            (*Card).changeKey,
	{0x80, insSetPublicICKey}:       (*Card).setPublicICKey,
	{0x80, insSetSessionKey}:        (*Card).setSessionKey,

	// Administration of JICSAP V1.1: it exists and needs keys that only the issuer has.
	{0x80, 0x06}: reserved, // ERASE ALL RECORDS
	{0x80, 0x50}: reserved, // LOCK DF
	{0x80, 0x52}: reserved, // UNLOCK DF
	{0x80, 0x54}: reserved, // UNLOCK KEY
	{0x80, 0x8A}: manageAttributes,
	{0x00, 0x82}: reserved, // EXTERNAL AUTHENTICATE
	{0x80, 0xFC}: (*Card).lastCommand,
}

const (
	insVerify               = 0x20
	insChangeReferenceData  = 0x24
	insSign                 = 0x2A
	insChangeKey            = 0x32
	insGetChallenge         = 0x84
	insInternalAuthenticate = 0x88
	insSetPublicICKey       = 0xA2
	insSelect               = 0xA4
	insSetSessionKey        = 0xAE
	insReadBinary           = 0xB0
	insReadRecord           = 0xB2
	insGetData              = 0xCA
)

// reserved is a command of the issuer.
func reserved(*Card, apdu.Command) apdu.Response { return status(apdu.SecurityNotSatisfied) }

// manageAttributes is MANAGE ATTRIBUTES of JICSAP: only updating the current file or application, P1 22 and 24, gets as
// far as the question for the issuer's key.
func manageAttributes(_ *Card, cmd apdu.Command) apdu.Response {
	if cmd.P1 != 0x22 && cmd.P1 != 0x24 {
		return status(apdu.IncorrectP1P2)
	}
	return status(apdu.SecurityNotSatisfied)
}

func status(s apdu.Status) apdu.Response { return apdu.Response{Status: s} }

func success(data []byte) apdu.Response { return apdu.Response{Data: data, Status: apdu.OK} }

// process executes one command APDU of any form.
func (c *Card) process(raw []byte) apdu.Response {
	if c.asleep {
		c.asleep = false
		return status(apdu.NoDiagnosis)
	}
	command, err := apdu.ParseCommand(raw)
	if err != nil {
		return status(apdu.WrongLength)
	}
	if s := c.checkClass(command.CLA, command.INS); s != apdu.OK {
		return status(s)
	}
	if command.CLA&secureClass != 0 {
		return c.processSecured(command)
	}
	h, ok := commands[[2]byte{command.CLA, command.INS}]
	if !ok {
		return status(apdu.INSNotSupported)
	}
	return h(c, command)
}

// checkClass accepts the two plain classes 00 and 80 and their secure messaging forms 08 and 88, and gives every other
// one its status word (ISO/IEC 7816-4, 5.4.1).
func (c *Card) checkClass(cla, ins byte) apdu.Status {
	switch {
	case cla&0xC0 == 0x40:
		return apdu.ChannelNotSupported // further interindustry values: logical channels 4 to 19
	case cla&0x60 != 0, cla&0x10 != 0:
		return apdu.CLANotSupported // reserved, A0 and above, or command chaining
	case cla&0x03 != 0:
		return apdu.ChannelNotSupported
	}
	switch cla & 0x0C {
	case 0x04:
		return apdu.SMNotSupported // secure messaging in a proprietary format
	case 0x0C:
		if ins == insSelect && c.session.secure == nil {
			return apdu.SMNotSupported
		}
		return apdu.SMObjectMissing // the header is to be authenticated, which no object can do here
	default:
		return apdu.OK
	}
}

// referenced finds the internal file that P2 of VERIFY, CHANGE REFERENCE DATA and COMPUTE DIGITAL SIGNATURE means:
// 80 is the current file, 80|SFI a file of the application, which becomes the current one.
func (c *Card) referenced(p2 byte) (*file, apdu.Status) {
	if p2&0xE0 != 0x80 {
		return nil, apdu.IncorrectP1P2
	}
	if p2 == 0x80 {
		if c.session.ef == nil {
			return nil, apdu.NoCurrentEF
		}
		return c.session.ef, apdu.OK
	}
	f, ok := c.session.app.files[uint16(p2&0x1F)]
	if !ok {
		return nil, apdu.FileNotFound
	}
	c.session.ef = f
	return f, apdu.OK
}

// lastCommand is 80 FC 00 00, with which a program tells an iPhone that its session is over. Published is that it
// exists, and that a plastic card answers 6700; on the phone this simulator accepts it and changes nothing.
func (c *Card) lastCommand(cmd apdu.Command) apdu.Response {
	switch {
	case !personalities[c.kind].lastCommand:
		return status(apdu.WrongLength)
	case cmd.P1 != 0 || cmd.P2 != 0:
		return status(apdu.IncorrectP1P2)
	case len(cmd.Data) > 0 || cmd.Ne != 0:
		return status(apdu.WrongLength)
	default:
		return status(apdu.OK)
	}
}
