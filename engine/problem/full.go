package problem

import "github.com/maru-city/maru/engine/lang"

// FullCode is the code of the problem that a disk is full.
const FullCode = "disk.full"

// Full is the problem that the server's disk is full (HTTP 507). What was being written isn't there, not even in part.
func Full() *Problem {
	return New(FullCode, 507, lang.T("서버의 디스크가 가득 차서 저장하지 못했습니다", "the server's disk is full, so it wasn't written")).
		Hinting(lang.T("관리자에게 디스크 공간을 늘려 달라고 요청하십시오. 대기 중인 가져오기는 공간이 생기면 이어서 진행합니다", "ask the administrator for room; imports that wait go on by themselves when there is some"))
}
