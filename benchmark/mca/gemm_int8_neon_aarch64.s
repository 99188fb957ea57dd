ld4r {v0.8h-v3.8h}, [x0], #8
ld1 {v4.16b-v7.16b}, [x14], #64
ld1 {v8.16b-v11.16b}, [x14], #64
smull v12.8h, v0.8b, v4.8b
smull2 v13.8h, v0.16b, v4.16b
smull v14.8h, v0.8b, v5.8b
smull2 v15.8h, v0.16b, v5.16b
smlal v12.8h, v1.8b, v6.8b
smlal2 v13.8h, v1.16b, v6.16b
smlal v14.8h, v1.8b, v7.8b
smlal2 v15.8h, v1.16b, v7.16b
smlal v12.8h, v2.8b, v8.8b
smlal2 v13.8h, v2.16b, v8.16b
smlal v14.8h, v2.8b, v9.8b
smlal2 v15.8h, v2.16b, v9.16b
smlal v12.8h, v3.8b, v10.8b
smlal2 v13.8h, v3.16b, v10.16b
smlal v14.8h, v3.8b, v11.8b
smlal2 v15.8h, v3.16b, v11.16b
ld4r {v0.8h-v3.8h}, [x4], #8
sadalp v16.4s, v12.8h
sadalp v17.4s, v13.8h
sadalp v18.4s, v14.8h
sadalp v19.4s, v15.8h
smull v12.8h, v0.8b, v4.8b
smull2 v13.8h, v0.16b, v4.16b
smull v14.8h, v0.8b, v5.8b
smull2 v15.8h, v0.16b, v5.16b
smlal v12.8h, v1.8b, v6.8b
smlal2 v13.8h, v1.16b, v6.16b
smlal v14.8h, v1.8b, v7.8b
smlal2 v15.8h, v1.16b, v7.16b
smlal v12.8h, v2.8b, v8.8b
smlal2 v13.8h, v2.16b, v8.16b
smlal v14.8h, v2.8b, v9.8b
smlal2 v15.8h, v2.16b, v9.16b
smlal v12.8h, v3.8b, v10.8b
smlal2 v13.8h, v3.16b, v10.16b
smlal v14.8h, v3.8b, v11.8b
smlal2 v15.8h, v3.16b, v11.16b
ld4r {v0.8h-v3.8h}, [x5], #8
sadalp v20.4s, v12.8h
sadalp v21.4s, v13.8h
sadalp v22.4s, v14.8h
sadalp v23.4s, v15.8h
smull v12.8h, v0.8b, v4.8b
smull2 v13.8h, v0.16b, v4.16b
smull v14.8h, v0.8b, v5.8b
smull2 v15.8h, v0.16b, v5.16b
smlal v12.8h, v1.8b, v6.8b
smlal2 v13.8h, v1.16b, v6.16b
smlal v14.8h, v1.8b, v7.8b
smlal2 v15.8h, v1.16b, v7.16b
smlal v12.8h, v2.8b, v8.8b
smlal2 v13.8h, v2.16b, v8.16b
smlal v14.8h, v2.8b, v9.8b
smlal2 v15.8h, v2.16b, v9.16b
smlal v12.8h, v3.8b, v10.8b
smlal2 v13.8h, v3.16b, v10.16b
smlal v14.8h, v3.8b, v11.8b
smlal2 v15.8h, v3.16b, v11.16b
ld4r {v0.8h-v3.8h}, [x6], #8
sadalp v24.4s, v12.8h
sadalp v25.4s, v13.8h
sadalp v26.4s, v14.8h
sadalp v27.4s, v15.8h
smull v12.8h, v0.8b, v4.8b
smull2 v13.8h, v0.16b, v4.16b
smull v14.8h, v0.8b, v5.8b
smull2 v15.8h, v0.16b, v5.16b
smlal v12.8h, v1.8b, v6.8b
smlal2 v13.8h, v1.16b, v6.16b
smlal v14.8h, v1.8b, v7.8b
smlal2 v15.8h, v1.16b, v7.16b
smlal v12.8h, v2.8b, v8.8b
smlal2 v13.8h, v2.16b, v8.16b
smlal v14.8h, v2.8b, v9.8b
smlal2 v15.8h, v2.16b, v9.16b
smlal v12.8h, v3.8b, v10.8b
smlal2 v13.8h, v3.16b, v10.16b
smlal v14.8h, v3.8b, v11.8b
smlal2 v15.8h, v3.16b, v11.16b
ldrb w17, [x16], #1
add x17, x18, x17, lsl #9
sadalp v28.4s, v12.8h
sadalp v29.4s, v13.8h
sadalp v30.4s, v14.8h
sadalp v31.4s, v15.8h
br x17
out:
