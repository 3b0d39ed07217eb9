/// Files that Ferry leaves in a person's folder around a cutover. They are never items.
struct Markers: Sendable {
    /// Which modes the directories had before they were frozen.
    static let frozen = FileName(constant: ".ferry-frozen")
    /// Tells the mailbox from another one that is put in its place.
    static let mailbox = FileName(constant: ".ferry-mailbox")
    /// Where mail goes: read by sendmail, Postfix and Exim.
    static let forward = FileName(constant: ".forward")
    /// The person's own `.forward`, kept for the way back.
    static let keptForward = FileName(constant: ".forward.before-ferry")

    /// Says to a person who looks in where their things are now.
    var moved: FileName
    /// Whether mail is forwarded.
    var forwards: Bool

    static let mail = Markers(moved: FileName(constant: "MOVED"), forwards: true)
    /// Collections are directories, so a file beside them is none.
    static let collections = Markers(moved: FileName(constant: "MOVED"), forwards: false)
    /// Where any visible name may be the person's own.
    static let hidden = Markers(moved: FileName(constant: ".ferry-moved"), forwards: false)

    /// Whether a name in a person's folder is Ferry's: whatever begins with `.ferry-`, and `.forward`. Other programs'
    /// `MOVED` is not told apart by its name.
    static func isMarker(_ name: FileName) -> Bool {
        name.hasPrefix(".ferry-") || name == forward || name == keptForward
    }

    /// Whether a name is one that Ferry might want for itself in a person's folder.
    static func mayBeMarker(_ name: FileName) -> Bool { isMarker(name) || name == collections.moved }
}
