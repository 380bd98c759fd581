/// Which section of an offer has which m= line, mid and transport.
struct OfferPlan {
    struct Place {
        /// The same m= line in our last description.
        var old: MediaSection?
        /// Nil: disabled.
        var local: LocalMedia?
        var mid: String?
    }

    private(set) var places: [Place] = []
    /// The sections of the BUNDLE group, the tagged one first.
    private(set) var bundle: [Int] = []
    /// The section that lends its transport.
    private let lender: Int?

    init(media: [LocalMedia], previous: SessionDescription?) {
        let (kept, waiting) = OfferPlan.places(of: media, in: previous)
        for old in previous?.sections ?? [] { places.append(Place(old: old, local: kept[old.index], mid: old.mid)) }
        for local in waiting { places.append(Place(old: nil, local: local)) }

        let isWanted = media.contains { $0.bundle != .own }
        var used = Set(places.compactMap(\.mid))
        for index in places.indices where places[index].mid == nil {
            // A section that had no mid gets one only where a group has to name it.
            guard let wanted = places[index].local?.mid, places[index].old == nil || isWanted else { continue }
            let mid = used.contains(wanted) ? (0...places.count).lazy.map { "\($0)" }.first { !used.contains($0) } ?? wanted : wanted
            used.insert(mid)
            places[index].mid = mid
        }

        lender = places.firstIndex { $0.local?.bundle == .own && $0.local?.rtcpMux == true && $0.mid != nil }
        if let local = lender.flatMap({ [places] in places[$0].local }) {
            for index in places.indices where places[index].local?.bundle != .own { places[index].local = places[index].local?.sharing(local) }
        } else {
            for index in places.indices where places[index].local?.bundle != .own { places[index].local = nil }
        }

        bundle = places.indices.filter { index in
            guard let local = places[index].local, local.rtcpMux, places[index].mid != nil else { return false }
            return local.bundle != .own || local.security == .dtls || isWanted && index == lender
        }
        // The tagged section stays the one that it is: with it the transport would change.
        let before = lender.map { [places] in previous?.bundle(with: $0, mids: places.map(\.mid)) ?? [] } ?? []
        bundle = before.filter { [bundle] in bundle.contains($0) } + bundle.filter { !before.contains($0) }
        if let first = bundle.firstIndex(where: { [places] in places[$0].local?.bundle != .bundleOnly }) {
            bundle.insert(bundle.remove(at: first), at: 0)
        }
    }

    /// Its lines describe its transport: it is tagged, or not in the group, or has a transport of its own that it does not lend to the tagged one.
    func hasTransport(_ index: Int) -> Bool {
        guard let tagged = bundle.first, bundle.contains(index), tagged != index else { return true }
        return places[index].local?.bundle == .own && places[tagged].local?.bundle == .own
    }

    /// What the sections of the group say together at session level.
    var sharedFingerprints: [Fingerprint] {
        guard bundle.count > 1, let local = bundle.first.flatMap({ places[$0].local }), local.security == .dtls else { return [] }
        return local.fingerprints
    }

    /// The number of each header extension by its URI: the one that it has, or the wanted one while it is free, or a free one. They are the same in
    /// all sections (RFC 9143 §9.1).
    var extensionNumbers: [String: UInt16] {
        var out: [String: UInt16] = [:]
        for map in places.compactMap(\.old).flatMap(\.extensionMaps) where out[map.uri] == nil { out[map.uri] = map.id }
        for map in places.compactMap(\.local).flatMap(\.extensionMaps) where out[map.uri] == nil {
            let used = Set(out.values)
            out[map.uri] = ([map.id] + ExtensionMap.oneByte).first { !used.contains($0) }
        }
        return out
    }

    /// Which m= line of `previous` each section has, and those that have none: the section in use with that mid, any in use
    /// of that kind, then a disabled one, which may be used again (RFC 3264 §8.1).
    private static func places(of media: [LocalMedia], in previous: SessionDescription?) -> ([Int: LocalMedia], [LocalMedia]) {
        var places: [Int: LocalMedia] = [:]
        var waiting = media
        for (isInUse, byMid) in [(true, true), (true, false), (false, false)] {
            for old in previous?.sections ?? [] where places[old.index] == nil && old.isEnabled == isInUse {
                let fits = { (local: LocalMedia) in local.kind == old.media.kind && (!byMid || old.mid != nil && local.mid == old.mid) }
                if let index = waiting.firstIndex(where: fits) { places[old.index] = waiting.remove(at: index) }
            }
        }
        return (places, waiting)
    }
}
