// Package fourinfo holds the four attributes of a person (基本4情報): name (氏名), address (住所), birthdate (生年月日)
// and gender (性別), as the service, a signing certificate or a card states them, and compares them.
//
// Most programs receive a [Person] and use these:
//
//	person.Name.Reveal()                              // the name, exactly as received
//	person.Birthdate.IsAtLeast(20, fourinfo.DateOf(t)) // Yes, No or Unknown: sell only on Yes
//	person.Address.InMunicipality("13221")            // Yes, No or Unknown: for residents
//	onFile.Compare(person)                            // does this person agree with the one on file, and why not?
//	person.RevealAll()                                // plain form for your own storage
//
// # Nothing is shown by accident
//
// Printing, logging or marshalling a [Person] or one of its attributes shows "[redacted]", whatever the verb, the
// encoder or the nesting. A value comes out only through a method whose name begins with Reveal, an age only through
// [Birthdate.AgeOn] and [Birthdate.AgesOn]. [Stored] is the one plain type, for an application's own storage.
//
// An individual number (個人番号) is no attribute. [IndividualNumber] is obtained and shown only for a lawful [Purpose];
// [MayHoldIndividualNumber] keeps it out of free text and [GuardLogs] out of logs.
//
// # Nothing is guessed
//
// Values are kept as received: no trimming, no splitting of names, no Unicode normalisation (NFC alone replaces
// characters that occur in Japanese names). Characters that the certificate could not represent are reported by
// position ([Substitutes]). Unknown parts of a birthdate stay unknown. An attribute that cannot be read becomes a
// [Problem] and never an error, so that one odd value does not fail a login. Absent is not the same as empty.
//
// Comparing makes keys beside the raw values, by steps that have names ([Step]) and are reported with their places; there is
// no measure of likeness that could hide a difference. The file docs/matching.md of the module lists the steps.
//
// # Further packages
//
// fourinfo/bulk compares the records of a whole file, fourinfo/law says what laws about identity verification ask, and
// fourinfo/mdoc maps the mobile form of the card to the same values.
//
// All types are immutable and safe for concurrent use. The package does no input or output and reads no clock.
package fourinfo
